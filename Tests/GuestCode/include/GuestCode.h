#pragma once
int guest_placeholder(void);
