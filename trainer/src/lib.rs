//! Trains deep clusterings and exports them for microcontrollers.
