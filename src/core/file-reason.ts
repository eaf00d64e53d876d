// Why the operating system does not do something with a file, by the code of its error (errno(3)), in words for a person.

export const fileReasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'it is in use',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'something else is there already',
  EFBIG: 'it would be larger than a file may be',
  EIO: 'the disk failed',
  EISDIR: 'it is a directory',
  ELOOP: 'too many links',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'there is no such file or directory',
  ENOSPC: 'there is no space left',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTEMPTY: 'it still holds something',
  EPERM: 'it is not permitted',
  EROFS: 'the file system is read-only',
  ETXTBSY: 'it is a program that runs',
  EXDEV: 'it lies on another file system',
};
