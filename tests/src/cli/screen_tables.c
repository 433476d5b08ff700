// What the tests add to the example `screen`, in front of its entry: it takes configurations while it
// runs, and hands a state over. By its version: 2.0.0 takes no state of others, 3.0.0 does not start, and 4.0.0
// fails on lines with "boom" and brings a configuration, which those before 2 do not take. 5.0.0 starts when there is a
// file.
// Each of them lingers in a line with "linger" until there is a file, and makes one beside it when it begins to.

static bool is_version(const char *version)
{
  return strcmp(SCREEN_VERSION, version) == 0;
}

static uint32_t refuse(const char *why)
{
  hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of(why));
  return 1;
}

static void linger(void)
{
  const char *until = getenv("SCREEN_UNTIL");
  char there[4096];
  snprintf(there, sizeof there, "%s.there", until);
  FILE *file = fopen(there, "w");
  if (file != NULL) {
    fclose(file);
  }
  while (access(until, F_OK) != 0) {}
}

static uint32_t reload(hookrail_instance *instance, hookrail_str config)
{
  (void)instance;
  return memmem(config.ptr, config.len, "vetoed", strlen("vetoed")) == NULL ? 0 : refuse("it vetoes that");
}

static uint32_t save(hookrail_instance *instance, hookrail_saved_state *out)
{
  (void)instance;
  out->version = 1;
  return hookrail_text_set(&out->schema, "screen " SCREEN_VERSION) ? 0 : refuse("no memory for a state");
}

static uint32_t save_changes(hookrail_instance *instance, hookrail_saved_state *out)
{
  (void)instance, (void)out;
  return 0;
}

static uint32_t restore(hookrail_instance *instance, hookrail_registrar *registrar, const hookrail_saved_state *state)
{
  const char own[] = "screen " SCREEN_VERSION;
  bool is_own = state->schema.len == strlen(own) && memcmp(state->schema.ptr, own, strlen(own)) == 0;
  return is_version("2.0.0") && state->schema.len > 0 && !is_own ? refuse("it takes no state of others")
                                                                  : hookrail_register_hooks(instance, registrar);
}

static uint32_t apply_changes(hookrail_instance *instance, const hookrail_saved_state *rest)
{
  (void)instance, (void)rest;
  return 0;
}

static uint32_t create(const hookrail_handle *handle, hookrail_str name, hookrail_str config, hookrail_instance **instance)
{
  bool is_of_four = memmem(config.ptr, config.len, "\"four\"", strlen("\"four\"")) != NULL;
  return SCREEN_VERSION[0] == '1' && is_of_four ? refuse("it does not know `four`") : hookrail_no_instance(handle, name, config, instance);
}

static uint32_t start(hookrail_instance *instance, hookrail_registrar *registrar)
{
  while (is_version("5.0.0") && access(getenv("SCREEN_UNTIL"), F_OK) != 0) {}
  return is_version("3.0.0") ? refuse("it does not start") : hookrail_register_hooks(instance, registrar);
}

static const void *tables(hookrail_str id)
{
  static const hookrail_reload_table reload_table = { sizeof reload_table, reload };
  static const hookrail_state_table state_table = { sizeof state_table, save, save_changes, restore, apply_changes };
  if (id.len == strlen("reload/1") && memcmp(id.ptr, "reload/1", id.len) == 0) {
    return &reload_table;
  }
  return id.len == strlen("state/1") && memcmp(id.ptr, "state/1", id.len) == 0 ? &state_table : NULL;
}

