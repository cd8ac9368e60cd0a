mod checkpoints;
mod fits;
mod gradients;
mod observers;
mod phases;
mod setup;
mod start_from;
mod variants;
