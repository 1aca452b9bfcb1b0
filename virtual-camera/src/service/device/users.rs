//! Users. The one that was configured is fixed: it can get another password, but no other rights, and it stays.

use super::settings::{bad_value, prohibited, too_many};
use crate::accounts::{Level, User};
use crate::auth::Credentials;
use crate::service::Call;
use crate::soap::Fault;
use crate::state::lock;
use crate::xml::{Element, Node, TDS, TT, element};

pub(super) const MAX_USERS: usize = 8;
pub(super) const MAX_NAME: usize = 32;
pub(super) const MAX_PASSWORD: usize = 64;

pub(super) fn get(call: &Call<'_>) -> Element {
    let gate = lock(&call.camera.gate);
    let users = gate.accounts().users();
    let users = users.all().map(|user| {
        element(TDS, "User").leaf(TT, "Username", &user.name).leaf(
            TT,
            "UserLevel",
            user.level.name(),
        )
    });
    call.response("GetUsersResponse").children(users)
}

pub(super) fn create(call: &Call<'_>) -> Result<Element, Fault> {
    let gate = lock(&call.camera.gate);
    let mut users = gate.accounts().users();
    let mut created: Vec<User> = Vec::new();
    for user in given(call, "User")? {
        let (name, level) = name_and_level(user)?;
        if users.all().chain(&created).any(|known| known.name == name) {
            let reason = format!("there is a user {name} already");
            return Err(prohibited("UsernameClash", reason));
        }
        let password = user.text_of("Password").unwrap_or_default();
        check_password(password)?;
        created.push(User::new(name, password.to_owned(), level));
    }
    if users.all().count() + created.len() > MAX_USERS {
        let reason = format!("there can be {MAX_USERS} users");
        return Err(too_many("TooManyUsers", reason));
    }
    users.create(created);
    Ok(call.response("CreateUsersResponse"))
}

pub(super) fn delete(call: &Call<'_>) -> Result<Element, Fault> {
    let names: Vec<_> = given(call, "Username")?;
    let names: Vec<_> = names.into_iter().map(Node::text).collect();
    let gate = lock(&call.camera.gate);
    let mut users = gate.accounts().users();
    for name in &names {
        if users.is_configured(name) {
            return Err(fixed_user(name));
        }
        if !users.all().any(|known| known.name == *name) {
            return Err(unknown_user(name));
        }
    }
    users.delete(&names);
    Ok(call.response("DeleteUsersResponse"))
}

pub(super) fn set(call: &Call<'_>) -> Result<Element, Fault> {
    let mut of_fixed = None;
    {
        let gate = lock(&call.camera.gate);
        let mut users = gate.accounts().users();
        let mut changes = Vec::new();
        for user in given(call, "User")? {
            let (name, level) = name_and_level(user)?;
            let password = user.text_of("Password");
            password.map_or(Ok(()), check_password)?;
            if users.is_configured(&name) {
                if level != Level::Administrator {
                    return Err(fixed_user(&name));
                }
                of_fixed = password.map(|password| Credentials {
                    user: name,
                    password: password.to_owned(),
                });
            } else if users.all().any(|known| known.name == name) {
                changes.push((name, level, password));
            } else {
                return Err(unknown_user(&name));
            }
        }
        for (name, level, password) in changes {
            users.change(&name, level, password);
        }
    }
    if let Some(credentials) = of_fixed {
        call.camera.set_credentials(credentials);
    }
    Ok(call.response("SetUserResponse"))
}

fn given<'a>(call: &Call<'a>, name: &'a str) -> Result<Vec<&'a Node>, Fault> {
    let given: Vec<_> = call.request.all(name).collect();
    if given.is_empty() {
        return Err(Fault::missing(name));
    }
    Ok(given)
}

fn name_and_level(user: &Node) -> Result<(String, Level), Fault> {
    let name = user.text_of("Username");
    let name = name.ok_or_else(|| prohibited("UsernameTooShort", "Username is missing"))?;
    if name.chars().count() > MAX_NAME {
        let reason = format!("a name has at most {MAX_NAME} characters");
        return Err(prohibited("UsernameTooLong", reason));
    }
    let level = user.text_of("UserLevel");
    let level = level.ok_or_else(|| Fault::missing("UserLevel"))?;
    if level == "Anonymous" {
        return Err(prohibited("AnonymousNotAllowed", "that is nobody's level"));
    }
    let level =
        Level::read(level).ok_or_else(|| bad_value(format!("UserLevel cannot be {level}")))?;
    Ok((name.to_owned(), level))
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
