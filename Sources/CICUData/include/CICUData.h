// Nothing to call: what is here is there to be linked.

#ifndef CICUDATA_H
#define CICUDATA_H

#include <stdint.h>

#endif
