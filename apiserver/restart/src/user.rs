//! Who asks, as the worker is told.

use proto::restart::User;

/// The same user, in the words of the seam.
pub(crate) fn of(user: &auth::User) -> User {
    let auth::User { name, uid, groups, extra } = user.clone();
    User { name, uid, groups, extra }
}
