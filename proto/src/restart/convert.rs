//! Between the seam's types and its wire. What a message lacks is empty.

use super::{
    Cancel, Request, User,
    wire::{self, user::Values},
};

impl From<User> for wire::User {
    fn from(User { name, uid, groups, extra }: User) -> Self {
        let extra = extra.into_iter().map(|(key, values)| (key, Values { values })).collect();
        Self { name, uid, groups, extra }
    }
}

impl From<wire::User> for User {
    fn from(wire::User { name, uid, groups, extra }: wire::User) -> Self {
        let extra = extra.into_iter().map(|(key, Values { values })| (key, values)).collect();
        Self { name, uid, groups, extra }
    }
}

impl From<Request> for wire::Request {
    fn from(Request { node, options, user }: Request) -> Self {
        Self { node, options, user: Some(user.into()) }
    }
}

impl From<wire::Request> for Request {
    fn from(wire::Request { node, options, user }: wire::Request) -> Self {
        Self { node, options, user: user.unwrap_or_default().into() }
    }
}

impl From<Cancel> for wire::CancelRequest {
    fn from(Cancel { name, uid, user }: Cancel) -> Self {
        Self { name, uid, user: Some(user.into()) }
    }
}

impl From<wire::CancelRequest> for Cancel {
    fn from(wire::CancelRequest { name, uid, user }: wire::CancelRequest) -> Self {
        Self { name, uid, user: user.unwrap_or_default().into() }
    }
}
