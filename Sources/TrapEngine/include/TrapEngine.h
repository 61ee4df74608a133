#pragma once
int cordon_placeholder(void);
