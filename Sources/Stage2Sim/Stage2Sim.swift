/// The shared simulation core.
