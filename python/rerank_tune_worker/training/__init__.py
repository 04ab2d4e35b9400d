"""The parts of fine-tuning: data, loss, model, optimizer, guard, checkpoint, evaluation. `jobs/train.py` puts them together."""
