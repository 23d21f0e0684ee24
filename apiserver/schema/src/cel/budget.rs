//! How much evaluation may cost, so that no object makes it long.
//!
//! A step is one node of an expression that is evaluated; what reads or makes text or lists costs one more for every
//! ten bytes or for every item. The two limits are those of the kube-apiserver, whose own count differs in detail.

use super::access::Access;

/// The most steps of one expression.
const PER_CALL: u64 = 1_000_000;
/// The most steps of all rules on one object.
const PER_OBJECT: u64 = 10_000_000;

/// The steps that are left.
#[derive(Debug)]
pub struct Budget {
    call: u64,
    object: u64,
}

/// Why an expression has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It failed on this object.
    Error(String),
    /// It took too many steps.
    CallLimit,
    /// All rules on this object together took too many steps.
    ObjectLimit,
    /// An authorizer has to be asked before it can be known.
    Pending(Box<Access>),
}

// === impl Budget ===

impl Budget {
    /// The budget of all rules on one object.
    pub fn new() -> Self {
        Self::of(PER_OBJECT)
    }

    /// A budget of so many steps.
    pub fn of(steps: u64) -> Self {
        Self { call: PER_CALL, object: steps }
    }

    /// The steps that are left of all.
    pub fn left(&self) -> u64 {
        self.object
    }

    /// Begins another expression.
    pub(super) fn begin(&mut self) {
        self.call = PER_CALL;
    }

    /// Evaluates another expression in the midst of one: it has a limit of its own, and both pay from the same budget.
    pub(super) fn nested<T>(&mut self, evaluate: impl FnOnce(&mut Self) -> T) -> T {
        let call = self.call;
        self.begin();
        let result = evaluate(self);
        self.call = call;
        result
    }

    /// Takes some steps.
    pub(super) fn take(&mut self, steps: usize) -> Result<(), Fault> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.call = self.call.checked_sub(steps).ok_or(Fault::CallLimit)?;
        self.object = self.object.checked_sub(steps).ok_or(Fault::ObjectLimit)?;
        Ok(())
    }

    /// Takes the steps of reading or making so much text.
    pub(super) fn take_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.take(bytes / 10)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Fault ===

impl Fault {
    /// The fault of an operation on values that it is not for.
    pub(super) fn overload() -> Self {
        Self::error("no such overload")
    }

    pub(super) fn error(text: impl Into<String>) -> Self {
        Self::Error(text.into())
    }

    /// Whether it ends the evaluation, whatever stands around it.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self, Fault::Error(_))
    }
}
