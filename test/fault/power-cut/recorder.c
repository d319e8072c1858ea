/*
 * Writes down, in one order for all processes, what a program does to the files of one folder and what it says on
 * stdout. Loaded before libc (LD_PRELOAD). POWERCUT_FOLDER: the folder. POWERCUT_LOG: the record.
 *
 * A write is noted after it was made and before anybody else can build on it (SQLite holds its lock), a sync before it
 * begins and after it ended: what was noted before the beginning is on the disk at the end. Words on stdout are noted
 * before they can be read: all that was promised by them must be on the disk by then.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 4096

struct head {
  char what[4]; /* "WRIT", "TRUN", "SYNC", "DONE", "GONE", "SAID" */
  uint32_t pid;
  uint64_t at;
  uint32_t name;
  uint32_t size;
};

static const char *folder;
static int record = -1;
/* The name of each open file of the folder, from the folder on. */
static char *names[FILES];

static void *libc(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void start(void) {
  folder = getenv("POWERCUT_FOLDER");
  const char *log = getenv("POWERCUT_LOG");
  if (folder == NULL || log == NULL) return;
  int (*open_)(const char *, int, ...) = libc("open");
  record = open_(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void note(const char *what, const char *name, uint64_t at, const void *data, size_t size) {
  if (record < 0) return;
  ssize_t (*writev_)(int, const struct iovec *, int) = libc("writev");
  struct head head = {.pid = getpid(), .at = at, .name = strlen(name), .size = size};
  memcpy(head.what, what, 4);
  struct iovec parts[] = {{&head, sizeof head}, {(void *)name, head.name}, {(void *)data, size}};
  /* One call: records of several processes do not mix in a file that is open for appending. */
  if (writev_(record, parts, 3) != (ssize_t)(sizeof head + head.name + size)) abort();
}

static const char *inside(const char *path) {
  if (folder == NULL || path == NULL) return NULL;
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

static const char *name_of(int fd) { return fd >= 0 && fd < FILES ? names[fd] : NULL; }

static int opened(int fd, const char *path) {
  const char *name = inside(path);
  if (fd >= 0 && fd < FILES) names[fd] = name == NULL ? NULL : strdup(name);
  return fd;
}

#define OPEN(function)                                                    \
  int function(const char *path, int flags, ...) {                        \
    va_list rest;                                                         \
    va_start(rest, flags);                                                \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                         \
    int (*real)(const char *, int, ...) = libc(#function);                \
    return opened(real(path, flags, mode), path);                         \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  int (*real)(int) = libc("close");
  if (fd == record && fd >= 0) return 0;
  if (fd >= 0 && fd < FILES) names[fd] = NULL;
  return real(fd);
}

#define PWRITE(function, offset_type)                                               \
  ssize_t function(int fd, const void *data, size_t size, offset_type at) {         \
    ssize_t (*real)(int, const void *, size_t, offset_type) = libc(#function);      \
    ssize_t wrote = real(fd, data, size, at);                                       \
    if (wrote > 0 && name_of(fd) != NULL) note("WRIT", name_of(fd), at, data, wrote); \
    return wrote;                                                                   \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define TRUNCATE(function, offset_type)                        \
  int function(int fd, offset_type size) {                     \
    int (*real)(int, offset_type) = libc(#function);           \
    int failed = real(fd, size);                               \
    if (!failed && name_of(fd) != NULL) note("TRUN", name_of(fd), size, NULL, 0); \
    return failed;                                             \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(function)                                                    \
  int function(int fd) {                                                  \
    int (*real)(int) = libc(#function);                                   \
    const char *name = name_of(fd);                                       \
    if (name != NULL) note("SYNC", name, 0, NULL, 0);                     \
    int failed = real(fd);                                                \
    if (name != NULL && !failed) note("DONE", name, 0, NULL, 0);          \
    return failed;                                                        \
  }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
  int (*real)(const char *) = libc("unlink");
  int failed = real(path);
  if (!failed && inside(path) != NULL) note("GONE", inside(path), 0, NULL, 0);
  return failed;
}

ssize_t write(int fd, const void *data, size_t size) {
  ssize_t (*real)(int, const void *, size_t) = libc("write");
  if (fd == STDOUT_FILENO) note("SAID", "", 0, data, size);
  return real(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  ssize_t (*real)(int, const struct iovec *, int) = libc("writev");
  if (fd == STDOUT_FILENO)
    for (int i = 0; i < count; i++) note("SAID", "", 0, parts[i].iov_base, parts[i].iov_len);
  return real(fd, parts, count);
}
