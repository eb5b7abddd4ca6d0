/* Stands, by LD_PRELOAD, in front of a function of MLIR that one of tfc's passes calls: a fault in that pass. $FAULT says which. */
#include <stdlib.h>
#include <string.h>

char fault(void *op, void *options, void *state, void *statistics)
    __asm__("_ZN4mlir13bufferization19runOneShotBufferizeEPNS_9OperationERKNS0_27OneShotBufferizationOptionsERNS0_18BufferizationStateEPNS0_23BufferizationStatisticsE");

static int deep(volatile int n) {
  volatile char room[4096];
  room[0] = (char)n;
  return deep(n + 1) + room[0];
}

char fault(void *op, void *options, void *state, void *statistics) {
  const char *kind = getenv("FAULT");
  (void)op, (void)options, (void)state, (void)statistics;
  if (kind && !strcmp(kind, "abort"))
    abort();
  if (kind && !strcmp(kind, "deep"))
    return (char)deep(0);
  return 0; /* failure() */
}
