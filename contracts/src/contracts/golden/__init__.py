"""Golden examples: one story in which every event type occurs, from which the files are made.

An agency of Lufeng (441581) asks an agency of Haifeng (441521) for a dataset. Names of people and
systems are invented, credit codes are synthetic.
"""
