//! The table of providers: the only file that names vendors.
