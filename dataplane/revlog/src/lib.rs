//! revlog
