//! Which functions can be callbacks.

use crate::Kind;

/// What [`Hook::new`](crate::Hook::new) takes: a function of a plugin `P` and of a payload `T`, as a point of kind `K`
/// lends it, that returns an `R`. The compiler finds out `M`.
///
/// | kind | function |
/// |---|---|
/// | notify | `fn(&self, &T)` |
/// | fold, gate | `fn(&self, &mut T)` |
///
/// Implemented for all such functions, and for closures that capture nothing.
#[diagnostic::on_unimplemented(
    message = "this function cannot be a callback of a `{K}` point whose payload is `{T}`",
    label = "takes other arguments",
    note = "callbacks of a notify point take `&self` and `&{T}`",
    note = "callbacks of a fold or gate point take `&self` and `&mut {T}`"
)]
pub trait Callback<P: 'static, K: Kind, T: 'static, R, M>: for<'a> Fn(&'a P, K::Payload<'a, T>) -> R {}

/// Stands for the implementation that counts.
#[derive(Debug)]
pub enum Fitting {}

/// Stands for an implementation that no function has. Were there but one, the compiler would look through it, and
/// complain about the signatures of `Fn`, twice; of two that do not fit, it names the trait.
#[derive(Debug)]
pub enum Other {}

/// Implemented for nothing.
trait Never {}

#[diagnostic::do_not_recommend]
impl<P: 'static, K: Kind, T: 'static, R, F> Callback<P, K, T, R, Fitting> for F where
    F: for<'a> Fn(&'a P, K::Payload<'a, T>) -> R
{
}

#[diagnostic::do_not_recommend]
impl<P: 'static, K: Kind, T: 'static, R, F> Callback<P, K, T, R, Other> for F where
    F: for<'a> Fn(&'a P, K::Payload<'a, T>) -> R + Never
{
}
