"""Reading sessions of residents, and what they tell: answers to scores, agreement, items and boards."""
