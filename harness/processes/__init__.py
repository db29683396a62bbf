"""Process groups: start, log, mark, find, stop. What a service is, is ``services/``' business."""
