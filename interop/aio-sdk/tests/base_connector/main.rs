//! Microsoft's `BaseConnector`, unchanged, with `RegistryService` in the place of the Device Registry and `AllocationWriter` in that
//! of Akri's operator.

mod changes;
mod discoveries;
mod served;
mod specifications;
mod stage;
