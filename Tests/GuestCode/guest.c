#include "GuestCode.h"
int guest_placeholder(void) { return 1; }
