//! A machine's vibration, simulated from a physical model, in the counts of an accelerometer on a bearing's housing.
//!
//! - **Rotation.** The shaft turns with `f` revolutions a second, and `f` wanders by half a percent within a second. Unbalance shakes it once a
//!   revolution with an amplitude that grows with `f^2`; misalignment and looseness add the second and third harmonic.
//! - **Gear.** 13 teeth mesh: two harmonics of `13 f`, modulated once a revolution, and louder under
//!   load, which fluctuates by a tenth within half a second.
//! - **Noise.** Rolling and process noise is white, and shakes the housing both directly and through its resonance.
//! - **Bearing fault.** A defect of the outer race strikes `3.585 f` times a second (the geometry of a 6205 bearing), a
//!   hundredth early or late because the balls slip. Each blow rings the resonance at 2.2 kHz, which is damped by 5 %
//!   (P. McFadden and J. Smith, "Model for the vibration produced by a single point defect in a rolling element bearing",
//!   1984; R. Randall and J. Antoni, "Rolling element bearing diagnostics: a tutorial", 2011).
//! - **Sensor.** Two axes, 6,400 instants a second, 4,096 counts for 1 g, rounded and clipped to int16. It wakes once a second
//!   for a window of 512 instants.

use std::f64::consts::TAU;

use edgemix::random::{normal, stream, uniform};

/// Instants in a second.
pub(crate) const RATE: f64 = 6400.0;
/// Instants of a window.
pub(crate) const WINDOW: usize = 512;
/// Axes of the sensor: radial and axial.
pub(crate) const AXES: usize = 2;

/// Counts for 1 g.
const COUNTS: f64 = 4096.0;
/// Blows of a defect of the outer race in a revolution.
const BLOWS: f64 = 3.585;
/// The resonance of the housing in hertz, and its damping ratio.
const RESONANCE: (f64, f64) = (2200.0, 0.05);
/// Teeth of the gear.
const TEETH: f64 = 13.0;
/// The acceleration of a blow in g, for a shaft with 25 revolutions a second.
const BLOW: f64 = 0.25;

/// Seconds from a window to the next.
const ASLEEP: f64 = 1.0;
/// Instants after waking until the resonance rings as if it had been watched all along.
const SETTLING: usize = 64;

/// What the machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Rest,
    Idle,
    Load,
    Fast,
}

impl State {
    pub(crate) const ALL: [Self; 4] = [Self::Rest, Self::Idle, Self::Load, Self::Fast];

    pub(crate) fn name(self) -> &'static str {
        ["rest", "idle", "load", "fast"][self as usize]
    }

    /// Revolutions a second; the acceleration of the meshing teeth and of the noise, in g.
    fn physics(self) -> (f64, f64, f64) {
        match self {
            Self::Rest => (0.0, 0.0, 0.003),
            Self::Idle => (24.8, 0.02, 0.02),
            Self::Load => (24.2, 0.10, 0.04),
            Self::Fast => (48.0, 0.05, 0.06),
        }
    }
}

/// One window, and what was the case during it.
pub(crate) struct Window {
    pub(crate) state: State,
    pub(crate) is_faulty: bool,
    /// Counts, instant by instant.
    pub(crate) counts: Vec<i16>,
}

/// `healthy` windows of a machine without a fault, then `faulty` ones with one. The state changes every 10 to 30 windows.
pub(crate) fn record(seed: u64, healthy: usize, faulty: usize) -> Vec<Window> {
    let mut machine = Machine::new(seed);
    let rng = &mut stream(seed, "states", 0);
    let mut draw = |n: usize| ((0.5 + 0.5 * f64::from(uniform(1, 1.0, rng)[0])) * n as f64) as usize % n;
    let (mut state, mut left) = (State::Rest, 0);
    let window = |index: usize| {
        if left == 0 {
            let others: Vec<State> = State::ALL.into_iter().filter(|other| *other != state).collect();
            state = others[draw(others.len())];
            left = 10 + draw(20);
        }
        left -= 1;
        let is_faulty = index >= healthy;
        machine.sleep(state);
        let counts = (0..WINDOW).flat_map(|_| machine.instant(state, is_faulty)).collect();
        Window { state, is_faulty, counts }
    };
    (0..healthy + faulty).map(window).collect()
}

/// The state of the simulation between two instants.
struct Machine {
    seed: u64,
    /// How many random numbers were drawn, a thousand at a time.
    drawn: u64,
    /// Normal draws that are not used yet.
    draws: Vec<f32>,
    /// Revolutions since the start.
    turns: f64,
    /// How far speed and load are from their means, as shares.
    speed: Wander,
    load: Wander,
    /// Revolutions at which the defect strikes next.
    next_blow: f64,
    resonators: [Resonator; AXES],
}

impl Machine {
    fn new(seed: u64) -> Self {
        let (speed, load) = (Wander::new(0.005, 1.0), Wander::new(0.1, 0.5));
        let resonators = [Resonator::default(); AXES];
        Self { seed, drawn: 0, draws: vec![], turns: 0.0, speed, load, next_blow: 0.0, resonators }
    }

    fn normal(&mut self) -> f64 {
        if self.draws.is_empty() {
            self.draws = normal(1024, &mut stream(self.seed, "vibration", self.drawn));
            self.drawn += 1;
        }
        self.draws.pop().unwrap_or_default().into()
    }

    /// The counts of both axes.
    fn instant(&mut self, state: State, is_faulty: bool) -> [i16; AXES] {
        let (speed, teeth, noise) = state.physics();
        let [of_speed, of_load] = [self.normal(), self.normal()];
        self.turns += speed * (1.0 + self.speed.after(1.0 / RATE, of_speed)) / RATE;
        let load = 1.0 + self.load.after(1.0 / RATE, of_load);
        let sine = |order: f64, phase: f64| (TAU * order * self.turns + phase).sin();
        let unbalance = (speed / 25.0).powi(2);
        let rotation = unbalance * (0.03 * sine(1.0, 0.0) + 0.012 * sine(2.0, 1.0) + 0.006 * sine(3.0, 2.0));
        let modulation = 1.0 + 0.3 * sine(1.0, 0.5);
        let gear = load * teeth * modulation * (sine(TEETH, 0.0) + 0.4 * sine(2.0 * TEETH, 1.3));
        let blow = if is_faulty { self.blow(speed) } else { 0.0 };
        // What each axis has of rotation, gear, noise and blows.
        let gains = [[1.0, 0.7, 1.0, 1.0], [0.3, 1.0, 0.8, 0.5]];
        let mut counts = [0; AXES];
        for (axis, [of_rotation, of_gear, of_noise, of_blow]) in gains.into_iter().enumerate() {
            let force = of_noise * noise * self.normal();
            let ringing = self.resonators[axis].driven(0.3 * force + of_blow * blow);
            let acceleration = of_rotation * rotation + of_gear * gear + force + ringing;
            // `as` clips.
            counts[axis] = (COUNTS * acceleration).round() as i16;
        }
        counts
    }

    /// Passes over the time until the next window.
    fn sleep(&mut self, state: State) {
        let [of_speed, of_load, of_phase] = [self.normal(), self.normal(), self.normal()];
        self.speed.after(ASLEEP, of_speed);
        self.load.after(ASLEEP, of_load);
        // The speed has wandered meanwhile, so that nothing is known of the phase.
        self.turns += state.physics().0 * ASLEEP + of_phase;
        self.next_blow = self.turns;
        for _ in 0..SETTLING {
            self.instant(state, false);
        }
    }

    /// The acceleration of a blow, if the defect strikes now.
    fn blow(&mut self, speed: f64) -> f64 {
        if speed == 0.0 || self.turns < self.next_blow {
            return 0.0;
        }
        self.next_blow = self.turns + (1.0 + 0.01 * self.normal()) / BLOWS;
        BLOW * speed / 25.0
    }
}

/// A quantity that fluctuates about 0: an Ornstein-Uhlenbeck process.
struct Wander {
    value: f64,
    deviation: f64,
    /// Seconds until it has forgotten where it was.
    memory: f64,
}

impl Wander {
    fn new(deviation: f64, memory: f64) -> Self {
        Self { value: 0.0, deviation, memory }
    }

    /// The value after so many seconds, given a normal draw.
    fn after(&mut self, seconds: f64, draw: f64) -> f64 {
        let kept = (-seconds / self.memory).exp();
        self.value = kept * self.value + self.deviation * (1.0 - kept * kept).sqrt() * draw;
        self.value
    }
}

/// A damped oscillator, instant by instant; an impulse of 1 rings with an amplitude of about 1.
#[derive(Clone, Copy, Default)]
struct Resonator {
    last: [f64; 2],
}

impl Resonator {
    fn driven(&mut self, force: f64) -> f64 {
        let (frequency, damping) = RESONANCE;
        let decay = (-damping * TAU * frequency / RATE).exp();
        let turn = TAU * frequency * (1.0 - damping * damping).sqrt() / RATE;
        let [one, two] = self.last;
        let next = 2.0 * decay * turn.cos() * one - decay * decay * two + force;
        self.last = [next, one];
        next
    }
}
