/*
 * A disk and a clock that are not well: loaded before libc (LD_PRELOAD), it is told what to do by three numbers in a
 * file that the test writes to at any time. 0 0 0: all is well.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct orders {
  int64_t shift;     /* The wall clock is this far off, in seconds. */
  int64_t longest;   /* A flush to the disk takes between a tenth of this and all of it, in milliseconds. */
  int64_t read_only; /* 1: as a disk that an error has made read-only under open files. */
};

static const struct orders well;
static volatile const struct orders *orders = &well;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("SLOW_DISK");
  int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void *map = mmap(NULL, sizeof well, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (map != MAP_FAILED) orders = map;
}

static void flush_slowly(void) {
  int64_t longest = orders->longest;
  if (longest > 0) usleep((useconds_t)(longest * (100 + random() % 900)));
}

int fsync(int file) {
  flush_slowly();
  return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
  flush_slowly();
  return (int)syscall(SYS_fdatasync, file);
}

static int refused(void) {
  if (orders->read_only == 0) return 0;
  errno = EROFS;
  return 1;
}

/* SQLite writes by this, and Node by others: handlers have another disk. */
ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t offset) {
  return refused() ? -1 : syscall(SYS_pwrite64, file, bytes, size, offset);
}

/* Asked by passito whether a folder may be written. */
int access(const char *path, int mode) {
  return (mode & W_OK) != 0 && refused() ? -1 : (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = (int)syscall(SYS_clock_gettime, clock, now);
  if (failed == 0 && clock == CLOCK_REALTIME) now->tv_sec += orders->shift;
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int failed = (int)syscall(SYS_gettimeofday, now, zone);
  if (failed == 0) now->tv_sec += orders->shift;
  return failed;
}

time_t time(time_t *now) {
  struct timeval read;
  gettimeofday(&read, NULL);
  if (now != NULL) *now = read.tv_sec;
  return read.tv_sec;
}
