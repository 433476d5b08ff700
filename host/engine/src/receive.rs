//! The ways in which a caller waits for what a host has for it. They have the names and the errors of the standard
//! library's channels, and none of them needs a runtime.

/// Gives a type with a `fn queue(&self) -> &Queue<$item>` the ways to receive; `$end` says when there is nothing more.
macro_rules! receive {
    ($receiver:ty, $item:ty, $end:literal) => {
        impl $receiver {
            /// The next one; waits for it.
            ///
            /// # Errors
            #[doc = concat!("If there will be none: ", $end, ".")]
            pub fn recv(&self) -> Result<$item, std::sync::mpsc::RecvError> {
                self.queue().recv()
            }

            /// The next one; waits for it for at most `timeout`.
            ///
            /// # Errors
            #[doc = concat!("If there was none in time, or there will be none: ", $end, ".")]
            pub fn recv_timeout(
                &self,
                timeout: std::time::Duration,
            ) -> Result<$item, std::sync::mpsc::RecvTimeoutError> {
                self.queue().recv_timeout(timeout)
            }

            /// The next one, if there is one now.
            ///
            /// # Errors
            #[doc = concat!("If there is none now, or there will be none: ", $end, ".")]
            pub fn try_recv(&self) -> Result<$item, std::sync::mpsc::TryRecvError> {
                self.queue().try_recv()
            }

            /// The next ones; waits for each of them.
            #[doc = concat!("Ends when there will be no more: ", $end, ".")]
            pub fn iter(&self) -> impl Iterator<Item = $item> {
                std::iter::from_fn(|| self.recv().ok())
            }

            /// Those that are there now.
            pub fn try_iter(&self) -> impl Iterator<Item = $item> {
                std::iter::from_fn(|| self.try_recv().ok())
            }

            /// The next one, for a task. Dropping the future loses nothing.
            ///
            /// # Errors
            #[doc = concat!("If there will be none: ", $end, ".")]
            pub async fn recv_async(&mut self) -> Result<$item, std::sync::mpsc::RecvError> {
                std::future::poll_fn(|context| self.poll_recv(context)).await
            }

            /// The next one, for an executor: the polling form of [`recv_async`](Self::recv_async). If there is none
            /// yet, the task of the last poll is woken when there is one, or when there will be none. Its waker is
            /// called by the thread that did what is received, perhaps within a dispatch: it must not call the host.
            ///
            /// # Errors
            #[doc = concat!("If there will be none: ", $end, ".")]
            pub fn poll_recv(
                &mut self,
                context: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Result<$item, std::sync::mpsc::RecvError>> {
                self.queue().poll_recv(context)
            }
        }
    };
}

pub(crate) use receive;
