use super::DeviceClient;
use crate::error::Error;
use crate::schema::{Secret, Words};
use crate::{operation, soap_enum, soap_reply, soap_type};

impl DeviceClient<'_> {
    /// The ONVIF users, without their passwords.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call).
    #[doc(alias = "GetUsers")]
    pub async fn users(&self) -> Result<Vec<User>, Error> {
        Ok(self.camera.call(&GetUsers {}).await?.users)
    }

    /// Creates users; all of them or none.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:TooManyUsers`, `ter:UsernameClash`, or a name or password
    /// that is too long, too short or too weak for the camera.
    #[doc(alias = "CreateUsers")]
    pub async fn create_users(&self, users: impl Into<Vec<User>>) -> Result<(), Error> {
        let users = users.into();
        self.camera.call(&CreateUsers { users }).await
    }

    /// Changes password or rights of a user. Clients that log in as this user, this one included, need the new password
    /// from now on.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:UsernameMissing` for an unknown user, `ter:FixedUser` for one
    /// that cannot be changed.
    #[doc(alias = "SetUser")]
    pub async fn set_user(&self, user: User) -> Result<(), Error> {
        self.camera.call(&SetUser { users: vec![user] }).await
    }

    /// Deletes users; all of them or none.
    ///
    /// # Errors
    /// Those of [`Camera::call`](crate::Camera::call): `ter:UsernameMissing` for an unknown user, `ter:FixedUser` for one
    /// that cannot be deleted.
    #[doc(alias = "DeleteUsers")]
    pub async fn delete_users(
        &self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), Error> {
        let names = names.into_iter().map(Into::into).collect();
        self.camera.call(&DeleteUsers { names }).await
    }
}

operation! {
    /// Asks for the users.
    pub struct GetUsers in "tds" {} -> GetUsersResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetUsers", ReadSystemSecret, Read
}

soap_reply! {
    /// The reply to [`GetUsers`].
    pub struct GetUsersResponse in "tds" {
        /// The users.
        users: Vec<User> = "User",
    }
}

soap_type! {
    /// An ONVIF user.
    pub struct User in "tt" {
        /// Name.
        username: Option<String> = "Username",
        /// Password; cameras never report it.
        password: Option<Secret> = "Password",
        /// Rights.
        level: Option<UserLevel> = "UserLevel",
        /// Roles beyond the level.
        extension: Option<UserExtension> = "Extension",
    }
}

impl User {
    /// A user with a password.
    pub fn new(name: impl Into<String>, password: impl Into<String>, level: UserLevel) -> Self {
        Self {
            username: Some(name.into()),
            password: Some(Secret::from(password.into())),
            level: Some(level),
            extension: None,
        }
    }
}

soap_type! {
    /// Roles of a user.
    pub struct UserExtension in "tt" {
        /// Names of roles, see [`GetUserRoles`].
        roles: Option<Words> = "Roles",
    }
}

soap_enum! {
    /// The rights of a user.
    pub enum UserLevel {
        /// Everything.
        Administrator = "Administrator",
        /// Everything but the system.
        Operator = "Operator",
        /// Reading.
        User = "User",
        /// What needs no user.
        Anonymous = "Anonymous",
        /// More than the specification knows.
        Extended = "Extended",
    }
}

operation! {
    /// Creates users.
    pub struct CreateUsers in "tds" {
        /// The users, with passwords.
        users: Vec<User> = "User",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/CreateUsers", WriteSystem, Write
}

operation! {
    /// Deletes users.
    pub struct DeleteUsers in "tds" {
        /// Their names.
        names: Vec<String> = "Username",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/DeleteUsers", WriteSystem, Write
}

operation! {
    /// Changes users.
    pub struct SetUser in "tds" {
        /// The users as they shall be; the name tells which. Without a password it stays.
        users: Vec<User> = "User",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetUser", WriteSystem, Write
}

operation! {
    /// Asks for the roles that users can have.
    pub struct GetUserRoles in "tds" {
        /// Only the role of this name.
        role: Option<String> = "UserRole",
    } -> GetUserRolesResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetUserRoles", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetUserRoles`].
    pub struct GetUserRolesResponse in "tds" {
        /// The roles.
        roles: Vec<UserRole> = "UserRole",
    }
}

soap_type! {
    /// A role: what its users may do.
    pub struct UserRole in "tt" {
        /// Name.
        name: Option<String> = "Name",
        /// Operations that are allowed, and patterns of them.
        functions: Option<Words> = "Functions",
    }
}

operation! {
    /// Creates or changes a role.
    pub struct SetUserRole in "tds" {
        /// The role; the name tells which.
        role: UserRole = "UserRole",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetUserRole", WriteSystem, Write
}

operation! {
    /// Deletes a role.
    pub struct DeleteUserRole in "tds" {
        /// Its name.
        role: String = "UserRole",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/DeleteUserRole", WriteSystem, Write
}

operation! {
    /// Asks for the user as whom the camera logs in elsewhere.
    pub struct GetRemoteUser in "tds" {} -> GetRemoteUserResponse;
    Device, "http://www.onvif.org/ver10/device/wsdl/GetRemoteUser", ReadSystem, Read
}

soap_reply! {
    /// The reply to [`GetRemoteUser`].
    pub struct GetRemoteUserResponse in "tds" {
        /// The user; `None` when there is none.
        user: Option<RemoteUser> = "RemoteUser",
    }
}

soap_type! {
    /// As whom a camera logs in elsewhere.
    pub struct RemoteUser in "tt" {
        /// Name.
        username: Option<String> = "Username",
        /// Password; cameras do not report it.
        password: Option<Secret> = "Password",
        /// Whether the password sent is derived from this one and the address of the receiver.
        use_derived_password: Option<bool> = "UseDerivedPassword",
    }
}

operation! {
    /// Changes the user as whom the camera logs in elsewhere.
    pub struct SetRemoteUser in "tds" {
        /// The user; `None` removes it.
        user: Option<RemoteUser> = "RemoteUser",
    } -> ();
    Device, "http://www.onvif.org/ver10/device/wsdl/SetRemoteUser", WriteSystem, Write
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Operation;

    #[test]
    fn a_password_is_sent_but_never_shown() {
        let request = CreateUsers {
            users: vec![User::new("eve", "h&nter2", UserLevel::Operator)],
        };
        assert!(!format!("{request:?}").contains("nter2"));
        assert_eq!(
            request.body().unwrap(),
            "<tds:CreateUsers><tds:User><tt:Username>eve</tt:Username><tt:Password>h&amp;nter2</tt:Password>\
             <tt:UserLevel>Operator</tt:UserLevel></tds:User></tds:CreateUsers>"
        );
    }
}
