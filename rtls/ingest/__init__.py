"""From a broker or a recorded file to ordered reading batches."""
