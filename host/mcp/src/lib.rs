//! host/mcp
