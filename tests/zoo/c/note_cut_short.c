// Its note says that it is longer than it is.

#include <hookrail.h>

__asm__(".pushsection " HOOKRAIL_NOTE_SECTION ", \"a\", %note\n"
        ".balign 4\n"
        ".long 9, 4000, 1\n"
        ".ascii \"Hookrail\\0\\0\\0\\0{}\"\n"
        ".balign 4\n"
        ".popsection\n");

const hookrail_entry hookrail_plugin_v1 = { .size = sizeof(hookrail_entry) };
