//! The tests are one program, so that there is one to link.
mod breadth;
mod common;
mod image_service;
mod life;
mod messages;
mod must_hold;
