// Every inline variable and every static of a template is one symbol for the whole process, and the
// loader never removes the library that brought it first.

#include <string>

inline std::string zoo_unique = "one in the process";

extern "C" size_t zoo_unique_length()
{
    return zoo_unique.size();
}
