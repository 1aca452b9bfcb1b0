//! Tests against software that nobody of this project wrote.
