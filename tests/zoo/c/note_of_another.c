// Its note belongs to somebody else.

#include <hookrail.h>

__asm__(".pushsection " HOOKRAIL_NOTE_SECTION ", \"a\", %note\n"
        ".balign 4\n"
        ".long 4, 2, 1\n"
        ".ascii \"GNU\\0{}\"\n"
        ".balign 4\n"
        ".popsection\n");

const hookrail_entry hookrail_plugin_v1 = { .size = sizeof(hookrail_entry) };
