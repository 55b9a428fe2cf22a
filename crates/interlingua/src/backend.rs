use std::fmt;
use std::sync::Arc;

use interlingua_model::{Error, Event, Origin, Request};
use interlingua_wire::ModelInfo;

use crate::{BoxFuture, BoxStream, Events, Meta};

/// A model in this process, as one more provider.
///
/// It is added by [`ClientBuilder::backend`](crate::ClientBuilder::backend) and answers in events of its own, which
/// must obey the [`Grammar`](crate::wire::Grammar).
///
/// ```
/// use std::sync::Arc;
///
/// use futures_util::stream;
/// use interlingua::{
///     Backend, BoxFuture, BoxStream, Client, Delta, Error, Event, Finish, FinishReason, ModelInfo, Output, Request,
///     Start, Text,
/// };
///
/// /// Says what it is told.
/// #[derive(Debug)]
/// struct Parrot;
///
/// impl Backend for Parrot {
///     fn stream(
///         &self,
///         request: Request,
///     ) -> BoxFuture<'static, Result<BoxStream<'static, Result<Event, Error>>, Error>> {
///         let events = [
///             Event::start(Start::new(None, Some(request.model))),
///             Event::open(0, Output::Text(Text::default())),
///             Event::delta(0, Delta::text("Polly!")),
///             Event::close(0),
///             Event::finish(Finish::new(FinishReason::Stop)),
///         ];
///         Box::pin(async move { Ok(Box::pin(stream::iter(events.map(Ok))) as BoxStream<'static, _>) })
///     }
///
///     fn models(&self) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>> {
///         Box::pin(async { Ok(Vec::new()) })
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let client = Client::builder().backend("parrot", Arc::new(Parrot)).build()?;
/// let response = client.send(&Request::new("parrot/grey").user("hi")).await?;
/// assert_eq!(response.text(), "Polly!");
/// # Ok::<(), Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Backend: Send + Sync + fmt::Debug {
    /// Begins an answer. `request.model` is the name behind the slash. Dropping the stream must stop the work.
    ///
    /// # Errors
    /// When there is no answer at all.
    fn stream(
        &self,
        request: Request,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<Event, Error>>, Error>>;

    /// The models that can be asked.
    ///
    /// # Errors
    /// When they cannot be found out.
    fn models(&self) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>>;
}

/// How a client asks a model in the process. It is known by this trait alone, so that a program without such a model carries
/// nothing of it.
pub(crate) trait Asked: Send + Sync + fmt::Debug {
    fn ask<'a>(
        &'a self,
        id: &'a str,
        model: &'a str,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Events, Error>>;

    fn models(&self) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>>;
}

impl Asked for Arc<dyn Backend> {
    fn ask<'a>(
        &'a self,
        id: &'a str,
        model: &'a str,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(async move {
            let mut bare = request.clone();
            model.clone_into(&mut bare.model);
            let stream = self.stream(bare).await.map_err(|error| error.with_target(id, model))?;
            Ok(Events::from_stream(Origin::new("", id, model), Meta::default(), stream))
        })
    }

    fn models(&self) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>> {
        (**self).models()
    }
}
