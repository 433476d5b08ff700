// Was built for revision 2 of `message.publish`.

#define NAME "another-revision"
#define REVISION 2
#include "specimen.h"
