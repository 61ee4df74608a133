package let w = 1
