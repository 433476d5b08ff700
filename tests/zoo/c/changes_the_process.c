// Changes something that it shares with its host, or prints. The environment variable CHANGES says what and when:
// `start:WHAT`, `callback:WHAT`, or `until-stop:WHAT` for what its `stop` takes back.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <hookrail.h>

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void set_alarm(void) { alarm(1000); }

static void set_profiling_timer(void)
{
  const struct itimerval timer = { { 0, 0 }, { 1000, 0 } };
  setitimer(ITIMER_PROF, &timer, NULL);
}

static void make_posix_timer(void)
{
  struct sigevent event = { .sigev_notify = SIGEV_NONE };
  struct itimerspec time = { { 0, 0 }, { 1000, 0 } };
  int timer;
  if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0) {
    syscall(SYS_timer_settime, timer, 0, &time, NULL);
  }
}

static void block_signal(void)
{
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void ignore_signal(void) { signal(SIGUSR2, SIG_IGN); }
static void take_signal_back(void) { signal(SIGUSR2, SIG_DFL); }

// Whoever starts a process afterwards has none to wait for.
static void reap_by_itself(void)
{
  const struct sigaction action = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
  sigaction(SIGCHLD, &action, NULL);
}

static void take_signal_stack(void)
{
  static char memory[1 << 16];
  const stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory };
  sigaltstack(&stack, NULL);
}

// Until its process group is killed.
static void leave_child(void)
{
  if (fork() == 0) {
    for (;;) {
      pause();
    }
  }
}

static void leave_grandchild(void)
{
  const pid_t child = fork();
  if (child == 0) {
    leave_child();
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

static void leave_zombie(void)
{
  if (fork() == 0) {
    _exit(0);
  }
}

// The child returns to the host, as one does whose `exec` fails and that does not look.
static void fork_and_go_on(void) { (void)!fork(); }

static void change_directory(void) { (void)!chdir("/"); }
static void change_umask(void) { umask(0035); }
static void take_umask_back(void) { umask(0022); }
static void set_variable(void) { setenv("CHANGED", "yes", 1); }
static void unset_variable(void) { unsetenv("PATH"); }
static void set_locale(void) { setlocale(LC_ALL, "C.UTF-8"); }
static void set_locale_of_thread(void) { uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0)); }

// Sets bits of the register that controls floating point.
static void control(uint32_t x86, uint64_t arm)
{
#ifdef __x86_64__
  uint32_t word;
  (void)arm;
  __asm__ volatile("stmxcsr %0" : "=m"(word));
  word |= x86;
  __asm__ volatile("ldmxcsr %0" : : "m"(word));
#else
  (void)x86;
  __asm__ volatile("msr fpcr, %0" : : "r"(arm));
#endif
}

static void round_up(void) { control(2u << 13, 1u << 22); }
// As code that was compiled with -ffast-math may do when it is opened.
static void flush_to_zero(void) { control(1u << 15, 1u << 24); }

static void print(void) { puts("I am here"); }
// Into the buffer, which somebody else may flush.
static void print_no_line(void) { printf("I am here"); }

static const struct {
  const char *what;
  void (*make)(void);
  void (*take_back)(void);
} changes[] = {
  { "alarm", set_alarm, NULL },
  { "child", leave_child, NULL },
  { "copy of the host", fork_and_go_on, NULL },
  { "directory", change_directory, NULL },
  { "flush to zero", flush_to_zero, NULL },
  { "grandchild", leave_grandchild, NULL },
  { "ignored signal", ignore_signal, take_signal_back },
  { "locale", set_locale, NULL },
  { "locale of the thread", set_locale_of_thread, NULL },
  { "no line", print_no_line, NULL },
  { "POSIX timer", make_posix_timer, NULL },
  { "profiling timer", set_profiling_timer, NULL },
  { "reaping", reap_by_itself, NULL },
  { "removed variable", unset_variable, NULL },
  { "rounding", round_up, NULL },
  { "signal mask", block_signal, NULL },
  { "signal stack", take_signal_stack, NULL },
  { "text", print, NULL },
  { "umask", change_umask, take_umask_back },
  { "variable", set_variable, NULL },
  { "zombie", leave_zombie, NULL },
};

// Whether CHANGES says that this one is made then.
static bool is_made(size_t index, const char *then)
{
  const char *asked = getenv("CHANGES");
  const size_t length = strlen(then);
  return asked != NULL && strncmp(asked, then, length) == 0 && asked[length] == ':'
    && strcmp(asked + length + 1, changes[index].what) == 0;
}

static uint32_t look(void *ctx, void *payload)
{
  size_t index;
  (void)ctx, (void)payload;
  for (index = 0; index < sizeof changes / sizeof *changes; index++) {
    if (is_made(index, "callback")) {
      changes[index].make();
    }
  }
  return HOOKRAIL_VERDICT_CONTINUE;
}

#define HOOKS(HOOK) HOOK(HOOKRAIL_MESSAGE_PUBLISH, look, 10, HOOKRAIL_EFFECTS_EXTERNAL, HOOKRAIL_ON_FAULT_AS_POINT)

HOOKRAIL_PLUGIN("changes-the-process", "1.0.0", HOOKS);

static uint32_t start(hookrail_instance *instance, hookrail_registrar *registrar)
{
  size_t index;
  for (index = 0; index < sizeof changes / sizeof *changes; index++) {
    if (is_made(index, "start") || is_made(index, "until-stop")) {
      changes[index].make();
    }
  }
  return hookrail_register_hooks(instance, registrar);
}

static uint32_t stop(hookrail_instance *instance)
{
  size_t index;
  (void)instance;
  for (index = 0; index < sizeof changes / sizeof *changes; index++) {
    if (is_made(index, "until-stop")) {
      changes[index].take_back();
    }
  }
  return 0;
}

HOOKRAIL_ENTRY(hookrail_no_instance, start, stop, hookrail_nothing, hookrail_no_table);
