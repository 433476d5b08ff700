// Hooks a point by its old name.

#define NAME "renamed-point"
#define POINT "client.check_acl"
#include "specimen.h"
