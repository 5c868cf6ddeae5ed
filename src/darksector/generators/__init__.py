"""From hard processes to final states that live long enough to be seen."""
