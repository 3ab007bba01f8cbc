//! The line in front of the hashing threads: first come, first served, of bounded length. Those who have gone away
//! leave the line before anybody is turned away because it is full.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Something that waits in the line.
pub(crate) trait Waiting {
    /// Whether nobody wants the result any more.
    fn has_gone(&self) -> bool;
}

/// Why something cannot join the line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The line is full.
    Full,
    /// The line is closed.
    Closed,
}

/// What a thread finds when it asks for work.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<J> {
    /// Work.
    Job(J),
    /// Nothing for as long as it was willing to wait.
    Idle,
    /// Nothing, and nothing will come.
    Closed,
}

/// The line.
pub(crate) struct Queue<J> {
    state: Mutex<State<J>>,
    arrived: Condvar,
    capacity: usize,
}

struct State<J> {
    jobs: VecDeque<J>,
    closed: bool,
}

impl<J: Waiting> Queue<J> {
    /// A line for `capacity` jobs, at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        let state = Mutex::new(State { jobs: VecDeque::new(), closed: false });
        Self { state, arrived: Condvar::new(), capacity: capacity.max(1) }
    }

    /// Joins the line at its end.
    pub(crate) fn push(&self, job: J) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.jobs.len() >= self.capacity {
            state.jobs.retain(|job| !job.has_gone());
        }
        if state.jobs.len() >= self.capacity {
            return Err(Refused::Full);
        }
        state.jobs.push_back(job);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Takes the first job whose caller still waits. `patience` is how long to wait for one; `None` is for ever.
    pub(crate) fn next(&self, patience: Option<Duration>) -> Next<J> {
        let mut state = self.lock();
        loop {
            while let Some(job) = state.jobs.pop_front() {
                if !job.has_gone() {
                    return Next::Job(job);
                }
            }
            if state.closed {
                return Next::Closed;
            }
            state = match patience {
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (state, timeout) =
                        self.arrived.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() && state.jobs.is_empty() && !state.closed {
                        return Next::Idle;
                    }
                    state
                }
            };
        }
    }

    /// Turns everybody away, those in the line included.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.jobs.clear();
        drop(state);
        self.arrived.notify_all();
    }

    // A thread that panicked while it held the lock left a line that is still a line.
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Ticket(u32, bool);

    impl Waiting for Ticket {
        fn has_gone(&self) -> bool {
            self.1
        }
    }

    const NOT_AT_ALL: Option<Duration> = Some(Duration::ZERO);

    #[test]
    fn first_come_is_first_served_and_the_gone_are_skipped() {
        let queue = Queue::new(4);
        for ticket in [Ticket(1, false), Ticket(2, true), Ticket(3, false)] {
            queue.push(ticket).unwrap();
        }
        assert_eq!(queue.next(NOT_AT_ALL), Next::Job(Ticket(1, false)));
        assert_eq!(queue.next(NOT_AT_ALL), Next::Job(Ticket(3, false)));
        assert_eq!(queue.next(NOT_AT_ALL), Next::Idle);
    }

    #[test]
    fn the_gone_make_place_before_anybody_is_turned_away() {
        let queue = Queue::new(2);
        queue.push(Ticket(1, false)).unwrap();
        queue.push(Ticket(2, true)).unwrap();
        assert_eq!(queue.push(Ticket(3, false)), Ok(()));
        assert_eq!(queue.push(Ticket(4, false)), Err(Refused::Full));
    }

    #[test]
    fn a_closed_line_turns_everybody_away() {
        let queue = Queue::new(2);
        queue.push(Ticket(1, false)).unwrap();
        queue.close();
        assert_eq!(queue.push(Ticket(2, false)), Err(Refused::Closed));
        assert_eq!(queue.next(None), Next::Closed);
    }
}
