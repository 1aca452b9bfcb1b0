//! Users. The one that was configured is fixed: it can get another password, but no other rights, and it stays. The
//! others are kept and reported; they cannot log in.

use super::settings::{bad_value, prohibited, too_many};
use crate::auth::Credentials;
use crate::service::Call;
use crate::soap::Fault;
use crate::state::{Camera, lock};
use crate::xml::{Element, Node, TDS, TT, element};

pub(super) const MAX_USERS: usize = 8;
pub(super) const MAX_NAME: usize = 32;
pub(super) const MAX_PASSWORD: usize = 64;

/// The users that were created, with their levels.
#[derive(Debug, Default)]
pub(crate) struct Users(Vec<(String, String)>);

pub(super) fn get(call: &Call<'_>) -> Element {
    let users = all(call.camera).into_iter().map(|(name, level)| {
        element(TDS, "User")
            .leaf(TT, "Username", name)
            .leaf(TT, "UserLevel", level)
    });
    call.response("GetUsersResponse").children(users)
}

pub(super) fn create(call: &Call<'_>) -> Result<Element, Fault> {
    let mut users = all(call.camera);
    let before = users.len();
    for user in given(call, "User")? {
        let (name, level) = name_and_level(user)?;
        if users.iter().any(|(known, _)| *known == name) {
            let reason = format!("there is a user {name} already");
            return Err(prohibited("UsernameClash", reason));
        }
        check_password(user.text_of("Password").unwrap_or_default())?;
        users.push((name, level));
    }
    if users.len() > MAX_USERS {
        let reason = format!("there can be {MAX_USERS} users");
        return Err(too_many("TooManyUsers", reason));
    }
    let created = users.split_off(before);
    lock(&call.camera.device).users.0.extend(created);
    Ok(call.response("CreateUsersResponse"))
}

pub(super) fn delete(call: &Call<'_>) -> Result<Element, Fault> {
    let names = given(call, "Username")?;
    let fixed = fixed(call.camera);
    let users = &mut lock(&call.camera.device).users.0;
    for name in &names {
        if fixed.as_deref() == Some(name.text()) {
            return Err(fixed_user(name.text()));
        }
        if !users.iter().any(|(known, _)| known == name.text()) {
            return Err(unknown_user(name.text()));
        }
    }
    users.retain(|(known, _)| !names.iter().any(|name| name.text() == known));
    Ok(call.response("DeleteUsersResponse"))
}

pub(super) fn set(call: &Call<'_>) -> Result<Element, Fault> {
    let fixed = fixed(call.camera);
    let mut new_password = None;
    let mut changed = Vec::new();
    for user in given(call, "User")? {
        let (name, level) = name_and_level(user)?;
        let password = user.text_of("Password");
        password.map_or(Ok(()), check_password)?;
        if fixed.as_ref() == Some(&name) {
            if level != "Administrator" {
                return Err(fixed_user(&name));
            }
            new_password = password.map(str::to_owned);
        } else if all(call.camera).iter().any(|(known, _)| *known == name) {
            changed.push((name, level));
        } else {
            return Err(unknown_user(&name));
        }
    }
    for (name, level) in changed {
        let users = &mut lock(&call.camera.device).users.0;
        if let Some(user) = users.iter_mut().find(|(known, _)| *known == name) {
            user.1 = level;
        }
    }
    if let (Some(user), Some(password)) = (fixed, new_password) {
        call.camera.set_credentials(Credentials { user, password });
    }
    Ok(call.response("SetUserResponse"))
}

fn fixed(camera: &Camera) -> Option<String> {
    lock(&camera.gate).user_name().map(str::to_owned)
}

fn all(camera: &Camera) -> Vec<(String, String)> {
    let fixed = fixed(camera).map(|name| (name, "Administrator".to_owned()));
    let created = lock(&camera.device).users.0.clone();
    fixed.into_iter().chain(created).collect()
}

fn given<'a>(call: &Call<'a>, name: &'a str) -> Result<Vec<&'a Node>, Fault> {
    let given: Vec<_> = call.request.all(name).collect();
    if given.is_empty() {
        return Err(Fault::missing(name));
    }
    Ok(given)
}

fn name_and_level(user: &Node) -> Result<(String, String), Fault> {
    let name = user.text_of("Username");
    let name = name.ok_or_else(|| prohibited("UsernameTooShort", "Username is missing"))?;
    if name.chars().count() > MAX_NAME {
        let reason = format!("a name has at most {MAX_NAME} characters");
        return Err(prohibited("UsernameTooLong", reason));
    }
    match user.text_of("UserLevel") {
        Some("Anonymous") => Err(prohibited("AnonymousNotAllowed", "that is nobody's level")),
        Some(level @ ("Administrator" | "Operator" | "User")) => {
            Ok((name.to_owned(), level.to_owned()))
        }
        Some(level) => Err(bad_value(format!("UserLevel cannot be {level}"))),
        None => Err(Fault::missing("UserLevel")),
    }
}

fn check_password(password: &str) -> Result<(), Fault> {
    match password.chars().count() {
        0 => Err(prohibited("Password", "an empty password is too weak")),
        1..=MAX_PASSWORD => Ok(()),
        _ => {
            let reason = format!("a password has at most {MAX_PASSWORD} characters");
            Err(prohibited("PasswordTooLong", reason))
        }
    }
}

fn fixed_user(name: &str) -> Fault {
    Fault::invalid_value("FixedUser", format!("{name} is fixed"))
}

fn unknown_user(name: &str) -> Fault {
    Fault::invalid_value("UsernameMissing", format!("there is no user {name}"))
}
