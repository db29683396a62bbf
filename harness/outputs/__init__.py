"""Events and results to text: console, result files, the dry run's words. Acts on no target."""
