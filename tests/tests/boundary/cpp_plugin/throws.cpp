// A plugin in C++ that throws: in its callbacks what the message asks for, in its other functions what its
// configuration asks for.

#include <hookrail.h>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef UNGUARDED
// What a plugin lacks that does without the header's macros.
#undef HOOKRAIL_GUARD
#define HOOKRAIL_GUARD(function) function
#endif

struct hookrail_instance {
    std::string config;

    void throw_if(const char *place) const
    {
        if (config.find(place) != std::string::npos) {
            throw std::runtime_error(std::string("thrown by ") + place);
        }
    }
};

namespace {

std::string text_of(const hookrail_text &text)
{
    return std::string(reinterpret_cast<const char *>(text.ptr), text.len);
}

int deep_inside(const std::vector<int> &numbers)
{
    return numbers.at(7);
}

uint32_t throws(void *, void *payload)
{
    const std::string asked = text_of(static_cast<hookrail_message *>(payload)->body);
    if (asked == "exception") {
        throw std::runtime_error("the beans are out");
    }
    if (asked == "int") {
        throw 42;
    }
    if (asked == "nested") {
        return static_cast<uint32_t>(deep_inside({ 1, 2, 3 }));
    }
    return HOOKRAIL_VERDICT_CONTINUE;
}

uint32_t create(const hookrail_handle *, hookrail_str, hookrail_str config, hookrail_instance **instance)
{
    *instance = new hookrail_instance { std::string(reinterpret_cast<const char *>(config.ptr), config.len) };
    return 0;
}

uint32_t start(hookrail_instance *instance, hookrail_registrar *registrar)
{
    instance->throw_if("start");
    return hookrail_register_hooks(instance, registrar);
}

uint32_t stop(hookrail_instance *instance)
{
    instance->throw_if("stop");
    return 0;
}

// As C++17 knows it, this function has another type than one that may throw.
uint32_t destroy(hookrail_instance *instance) noexcept
{
    delete instance;
    return 0;
}

uint32_t reload(hookrail_instance *instance, hookrail_str)
{
    instance->throw_if("reload");
    return 0;
}

const void *query(hookrail_str id)
{
    static const hookrail_reload_table table = { sizeof table, HOOKRAIL_GUARD(reload) };
    return std::string(reinterpret_cast<const char *>(id.ptr), id.len) == "reload/1" ? &table : nullptr;
}

} // namespace

#define HOOKS(HOOK) \
    HOOK(HOOKRAIL_MESSAGE_PUBLISH, throws, 300, HOOKRAIL_EFFECTS_PURE, HOOKRAIL_ON_FAULT_CLOSED)

HOOKRAIL_PLUGIN("throws", "1.0.0", HOOKS);
HOOKRAIL_ENTRY(create, start, stop, destroy, query);
