"""One file per DVC stage, named like the stage and its evidence."""
