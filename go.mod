module xsmbench

go 1.26.0
