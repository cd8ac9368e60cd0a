mod fits;
mod gradients;
mod phases;
