// Filled in by the rooms as they grow.
