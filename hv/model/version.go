package model

const versionMajor, versionMinor = 3, 2
