//! Write an Azure IoT Operations connector in under a hundred lines: a trait, and the runtime that owns the loops.
