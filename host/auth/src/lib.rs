//! host/auth
