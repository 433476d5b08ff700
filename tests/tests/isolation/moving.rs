//! A running plugin moves between processes, with its state, while messages flow.
