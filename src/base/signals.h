#pragma once

/* Every signal has its default action again, and none is blocked. Async-signal-safe. */
void signals_reset(void);
