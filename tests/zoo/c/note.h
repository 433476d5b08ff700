// A note of any text, for specimens whose note is wrong: HOOKRAIL_PLUGIN cannot write one that is.

#include <hookrail.h>

// The arguments as they are, after their macros have been expanded.
#define NOTE(...) NOTE_JSON(__VA_ARGS__)
#define NOTE_JSON(...) NOTE_OF_TEXT(#__VA_ARGS__)
#define NOTE_OF_TEXT(text)                                              \
  __asm__(".pushsection " HOOKRAIL_NOTE_SECTION ", \"a\", %note\n"      \
          ".balign 4\n"                                                 \
          ".long 9, 2f - 1f, 1\n"                                       \
          ".ascii \"Hookrail\\0\\0\\0\\0\"\n"                         \
          "1: .ascii " #text "\n"                                       \
          "2: .balign 4\n"                                              \
          ".popsection\n")
