//! What a program that logs in says when it fails. What it was told and what else it printed may be secret.

use std::fmt;

use kube::{Error, client::AuthError};

/// The program of the kubeconfig that logs in failed, so nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginError {
    status: String,
    said: String,
}

/// The error, without the program's environment and output.
pub(crate) fn shown(error: Error) -> anyhow::Error {
    match error {
        Error::Auth(error) => auth(error),
        Error::Service(error) => match error.downcast() {
            Ok(error) => auth(*error),
            Err(error) => Error::Service(error).into(),
        },
        error => error.into(),
    }
}

fn auth(error: AuthError) -> anyhow::Error {
    match error {
        AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr).trim().to_owned();
            LoginError { status: out.status.to_string(), said }.into()
        }
        error => Error::Auth(error).into(),
    }
}

// === impl LoginError ===

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, said } = self;
        write!(f, "the program of the kubeconfig that logs in (exec) failed: {status}")?;
        if said.is_empty() { Ok(()) } else { write!(f, ": {said}") }
    }
}

impl std::error::Error for LoginError {}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt, process};

    use super::*;

    #[test]
    fn only_its_complaint_is_shown() {
        let failed = || {
            let out = process::Output {
                status: process::ExitStatus::from_raw(256),
                stdout: b"sesame".to_vec(),
                stderr: b"no session\n".to_vec(),
            };
            AuthError::AuthExecRun { cmd: "TOKEN=sesame aws".to_owned(), out: Box::new(out) }
        };
        for error in [Error::Auth(failed()), Error::Service(failed().into())] {
            let shown = shown(error);
            let text = format!("{shown:#}{shown:?}");
            assert!(text.contains("failed: exit status: 1: no session") && !text.contains("sesame"), "{text}");
        }
    }
}
